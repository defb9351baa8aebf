/* Each vector minus its mean, divided by its deviation; then times gamma, plus beta. The mean of
 * the differences corrects the rounding of the mean. */
static void tallynet_layer_normalization(const float *x, float *y, const float *gamma,
                                         const float *beta, float epsilon, long vectors,
                                         long width) {
    for (long v = 0; v < vectors; v++, x += width, y += width) {
        float mean = 0.0f, rest = 0.0f, variance = 0.0f;
        for (long i = 0; i < width; i++) {
            mean += x[i];
        }
        mean /= (float)width;
        for (long i = 0; i < width; i++) {
            rest += x[i] - mean;
        }
        rest /= (float)width;
        for (long i = 0; i < width; i++) {
            y[i] = (x[i] - mean) - rest;
            variance += y[i] * y[i];
        }
        const float deviation = sqrtf(variance / (float)width + epsilon);
        for (long i = 0; i < width; i++) {
            y[i] = y[i] / deviation * (gamma ? gamma[i] : 1.0f) + (beta ? beta[i] : 0.0f);
        }
    }
}
