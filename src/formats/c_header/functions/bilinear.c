/* Place of the pixel i of an enlarged axis on the axis of the input, inside its border. */
static float tallynet_place(long i, long factor, long length) {
    const float place = ((float)i + 0.5f) / (float)factor - 0.5f;
    return fminf(fmaxf(place, 0.0f), (float)(length - 1));
}

/* Image enlarged by whole factors: the weighted mean of the four nearest pixels. */
static void tallynet_bilinear(const float *x, float *y, long height, long width, long channels,
                              long down, long right) {
    for (long i = 0; i < height * down; i++) {
        const float row = tallynet_place(i, down, height);
        const long top = (long)row, bottom = top + 1 < height ? top + 1 : top;
        const float low = row - (float)top;
        for (long j = 0; j < width * right; j++, y += channels) {
            const float column = tallynet_place(j, right, width);
            const long left = (long)column, next = left + 1 < width ? left + 1 : left;
            const float share = column - (float)left;
            for (long c = 0; c < channels; c++) {
                const float above = (1.0f - share) * x[(top * width + left) * channels + c] +
                                    share * x[(top * width + next) * channels + c];
                const float below = (1.0f - share) * x[(bottom * width + left) * channels + c] +
                                    share * x[(bottom * width + next) * channels + c];
                y[c] = (1.0f - low) * above + low * below;
            }
        }
    }
}
