# A linear classifier of handwritten digits: one weight from each pixel to each class.
#
#   tallynet summary FILE --explain     the model, and why it has 7850 parameters
#   tallynet train FILE                 trains it on MNIST and evaluates it
#   tallynet train FILE --data DATA     the same on data of your own
#   python FILE                         the same in Keras
import keras
from keras import layers
import numpy as np

batch_size = 128
epochs = 12

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = x_train.astype("float32") / 255  # pixels from 0 to 1
x_test = x_test.astype("float32") / 255
num_classes = len(np.unique(y_train))

model = keras.Sequential(
    [
        keras.Input(shape=x_train.shape[1:]),
        layers.Flatten(),  # 28 x 28 pixels in a row of 784
        layers.Dense(num_classes, activation="softmax"),  # a probability for each class
    ]
)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1),
    loss="sparse_categorical_crossentropy",  # the labels are integers
    metrics=["accuracy"],
)
model.fit(
    x_train,
    y_train,
    batch_size=batch_size,
    epochs=epochs,
    validation_data=(x_test, y_test),
)
