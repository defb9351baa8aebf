/* y = x * kernel + bias, at each position. */
static void tallynet_dense(const float *x, float *y, const float *kernel, const float *bias,
                           long positions, long inputs, long units) {
    for (long p = 0; p < positions; p++, x += inputs, y += units) {
        for (long u = 0; u < units; u++) {
            y[u] = bias ? bias[u] : 0.0f;
        }
        for (long i = 0; i < inputs; i++) {
            for (long u = 0; u < units; u++) {
                y[u] += x[i] * kernel[i * units + u];
            }
        }
    }
}
