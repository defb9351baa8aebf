/* y = factor * x + shift, channel by channel. */
static void tallynet_affine(const float *x, float *y, const float *factor, const float *shift,
                            long positions, long channels) {
    for (long p = 0; p < positions; p++, x += channels, y += channels) {
        for (long c = 0; c < channels; c++) {
            y[c] = factor[c] * x[c] + shift[c];
        }
    }
}
