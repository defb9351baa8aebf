/* Windows along one axis. */
typedef struct {
    long inputs;   /* positions of the input */
    long outputs;  /* windows */
    long size;     /* positions of a window */
    long stride;   /* positions from one window to the next */
    long dilation; /* distance between two positions of a window */
    long before;   /* positions of padding before the input */
} tallynet_axis;
