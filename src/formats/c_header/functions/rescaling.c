/* y = x * scale + offset. */
static void tallynet_rescaling(const float *x, float *y, float scale, float offset, long n) {
    for (long i = 0; i < n; i++) {
        y[i] = x[i] * scale + offset;
    }
}
