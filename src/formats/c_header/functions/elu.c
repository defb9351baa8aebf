/* x above 0, alpha * (e^x - 1) below. */
static void tallynet_elu(const float *x, float *y, float alpha, long n) {
    for (long i = 0; i < n; i++) {
        y[i] = x[i] > 0.0f ? x[i] : alpha * expm1f(x[i]);
    }
}
