/* min(x, most) above the threshold, slope * (x - threshold) below. */
static void tallynet_re_lu(const float *x, float *y, float most, float slope, float threshold,
                           long n) {
    for (long i = 0; i < n; i++) {
        if (x[i] > threshold) {
            y[i] = x[i] > most ? most : x[i];
        } else if (slope == 0.0f && x[i] <= threshold) {
            y[i] = 0.0f;
        } else {
            y[i] = slope * (x[i] - threshold);
        }
    }
}
