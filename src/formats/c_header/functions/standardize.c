/* y = (x - mean) / deviation, feature by feature. */
static void tallynet_standardize(const float *x, float *y, const float *mean,
                                 const float *deviation, long positions, long features) {
    for (long p = 0; p < positions; p++, x += features, y += features) {
        for (long f = 0; f < features; f++) {
            y[f] = (x[f] - mean[f]) / deviation[f];
        }
    }
}
