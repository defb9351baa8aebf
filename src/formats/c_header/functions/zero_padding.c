/* Zeros around an image. */
static void tallynet_zero_padding(const float *x, float *y, long height, long width, long channels,
                                  long top, long bottom, long left, long right) {
    for (long i = -top; i < height + bottom; i++) {
        for (long j = -left; j < width + right; j++) {
            const int is_inside = i >= 0 && i < height && j >= 0 && j < width;
            for (long c = 0; c < channels; c++) {
                *y++ = is_inside ? x[(i * width + j) * channels + c] : 0.0f;
            }
        }
    }
}
