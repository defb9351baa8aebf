# A multilayer perceptron for handwritten digits: two hidden layers with dropout.
#
#   tallynet summary FILE --explain        the model, and its parameters counted in words
#   tallynet train FILE                    trains it on MNIST and evaluates it
#   tallynet train FILE --set hidden=64    the same with smaller layers
#   tallynet train FILE --data DATA        the same on data of your own
#   python FILE                            the same in Keras
import keras
from keras import layers
import numpy as np

hidden = 256  # units of a hidden layer
rate = 0.2  # fraction of them that a training step leaves out
batch_size = 128
epochs = 10

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = x_train.astype("float32") / 255  # pixels from 0 to 1
x_test = x_test.astype("float32") / 255
num_classes = len(np.unique(y_train))

model = keras.Sequential()
model.add(keras.Input(shape=x_train.shape[1:]))
model.add(layers.Flatten())  # pixels in a row
for _ in range(2):
    model.add(layers.Dense(hidden, activation="relu"))
    model.add(layers.Dropout(rate))
model.add(layers.Dense(num_classes, activation="softmax"))

model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.001),
    loss="sparse_categorical_crossentropy",  # the labels are integers
    metrics=["accuracy"],
)
# Training ends after three epochs without a lower loss on the last tenth of the training set.
stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
model.fit(
    x_train,
    y_train,
    batch_size=batch_size,
    epochs=epochs,
    validation_split=0.1,
    callbacks=[stop],
)
