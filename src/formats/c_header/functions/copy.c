/* y = x. */
static void tallynet_copy(const float *x, float *y, long n) {
    for (long i = 0; i < n; i++) {
        y[i] = x[i];
    }
}
