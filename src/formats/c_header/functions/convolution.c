/* Each filter's weighted sum of every window; positions outside the input are 0. */
static void tallynet_convolution(const float *x, float *y, const float *kernel, const float *bias,
                                 const tallynet_axis *rows, const tallynet_axis *columns,
                                 long channels, long filters) {
    for (long i = 0; i < rows->outputs; i++) {
        for (long j = 0; j < columns->outputs; j++, y += filters) {
            for (long f = 0; f < filters; f++) {
                y[f] = bias ? bias[f] : 0.0f;
            }
            for (long a = 0; a < rows->size; a++) {
                const long row = i * rows->stride + a * rows->dilation - rows->before;
                if (row < 0 || row >= rows->inputs) {
                    continue;
                }
                for (long b = 0; b < columns->size; b++) {
                    const long column =
                        j * columns->stride + b * columns->dilation - columns->before;
                    if (column < 0 || column >= columns->inputs) {
                        continue;
                    }
                    const float *pixel = x + (row * columns->inputs + column) * channels;
                    const float *weight = kernel + (a * columns->size + b) * channels * filters;
                    for (long c = 0; c < channels; c++, weight += filters) {
                        for (long f = 0; f < filters; f++) {
                            y[f] += pixel[c] * weight[f];
                        }
                    }
                }
            }
        }
    }
}
