/* The vector of each word; NaN for a word without one. */
static void tallynet_embedding(const float *x, float *y, const float *embeddings, long positions,
                               long words, long width) {
    for (long p = 0; p < positions; p++, y += width) {
        const int is_known = x[p] > -1.0f && x[p] < (float)words;
        for (long i = 0; i < width; i++) {
            y[i] = is_known ? embeddings[(long)x[p] * width + i] : NAN;
        }
    }
}
