/* Image enlarged by whole factors: the nearest pixel. */
static void tallynet_nearest(const float *x, float *y, long height, long width, long channels,
                             long down, long right) {
    for (long i = 0; i < height * down; i++) {
        for (long j = 0; j < width * right; j++, y += channels) {
            const float *pixel = x + (i / down * width + j / right) * channels;
            for (long c = 0; c < channels; c++) {
                y[c] = pixel[c];
            }
        }
    }
}
