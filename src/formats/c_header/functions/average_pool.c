/* Mean of each window; positions outside do not count. */
static void tallynet_average_pool(const float *x, float *y, const tallynet_axis *rows,
                        const tallynet_axis *columns, long channels) {
    for (long i = 0; i < rows->outputs; i++) {
        for (long j = 0; j < columns->outputs; j++) {
            for (long c = 0; c < channels; c++) {
                float sum = 0.0f, count = 0.0f;
                for (long a = 0; a < rows->size; a++) {
                    const long row = i * rows->stride + a - rows->before;
                    for (long b = 0; b < columns->size; b++) {
                        const long column = j * columns->stride + b - columns->before;
                        if (row < 0 || row >= rows->inputs || column < 0 ||
                            column >= columns->inputs) {
                            continue;
                        }
                        const float value = x[(row * columns->inputs + column) * channels + c];
                        sum += value;
                        count += 1.0f;
                    }
                }
                *y++ = sum / count;
            }
        }
    }
}
