# A small convolutional network for handwritten digits.
#
#   tallynet summary FILE --explain     the model, and its parameters counted in words
#   tallynet train FILE                 trains it on MNIST and evaluates it
#   tallynet train FILE --data DATA     the same on a folder of your own images
#   python FILE                         the same in Keras
import keras
from keras import layers
import numpy as np

filters = [32, 64]  # of each convolution
batch_size = 128
epochs = 12

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = np.expand_dims(x_train.astype("float32") / 255, -1)  # 28 x 28 pixels of one channel
x_test = np.expand_dims(x_test.astype("float32") / 255, -1)
num_classes = len(np.unique(y_train))

model = keras.Sequential([keras.Input(shape=x_train.shape[1:])])
for n in filters:
    model.add(layers.Conv2D(n, kernel_size=(3, 3), activation="relu"))
    model.add(layers.MaxPooling2D(pool_size=(2, 2)))  # half the height and width
model.add(layers.Flatten())
model.add(layers.Dropout(0.5))
model.add(layers.Dense(num_classes, activation="softmax"))

model.compile(
    optimizer="adam",
    loss="sparse_categorical_crossentropy",  # the labels are integers
    metrics=["accuracy"],
)
model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, validation_split=0.1)
