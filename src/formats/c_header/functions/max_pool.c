/* Maximum of each window, or NaN if it has one; positions outside do not count. */
static void tallynet_max_pool(const float *x, float *y, const tallynet_axis *rows,
                        const tallynet_axis *columns, long channels) {
    for (long i = 0; i < rows->outputs; i++) {
        for (long j = 0; j < columns->outputs; j++) {
            for (long c = 0; c < channels; c++) {
                float most = -INFINITY;
                for (long a = 0; a < rows->size; a++) {
                    const long row = i * rows->stride + a - rows->before;
                    for (long b = 0; b < columns->size; b++) {
                        const long column = j * columns->stride + b - columns->before;
                        if (row < 0 || row >= rows->inputs || column < 0 ||
                            column >= columns->inputs) {
                            continue;
                        }
                        const float value = x[(row * columns->inputs + column) * channels + c];
                        if (isnan(value) || value > most) {
                            most = value;
                        }
                    }
                }
                *y++ = most;
            }
        }
    }
}
