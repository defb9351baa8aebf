/* The vector x, several times. */
static void tallynet_repetition(const float *x, float *y, long times, long width) {
    for (long t = 0; t < times; t++, y += width) {
        for (long i = 0; i < width; i++) {
            y[i] = x[i];
        }
    }
}
