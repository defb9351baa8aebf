/* e^x of each value of a vector, divided by their sum. */
static void tallynet_softmax(const float *x, float *y, long vectors, long width) {
    for (long v = 0; v < vectors; v++, x += width, y += width) {
        float most = x[0], sum = 0.0f;
        for (long i = 1; i < width; i++) {
            most = fmaxf(most, x[i]);
        }
        for (long i = 0; i < width; i++) {
            y[i] = expf(x[i] - most);
            sum += y[i];
        }
        for (long i = 0; i < width; i++) {
            y[i] /= sum;
        }
    }
}
