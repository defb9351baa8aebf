/* x above 0, alpha * x below. Alpha has a stride for each axis of the input; an axis
 * that shares it has the stride 0. */
static void tallynet_p_re_lu(const float *x, float *y, const float *alpha, const long *lengths,
                             const long *strides, long axes, long n) {
    for (long i = 0; i < n; i++) {
        long rest = i, at = 0;
        for (long axis = axes - 1; axis >= 0; axis--) {
            at += rest % lengths[axis] * strides[axis];
            rest /= lengths[axis];
        }
        y[i] = x[i] > 0.0f ? x[i] : alpha[at] * x[i];
    }
}
