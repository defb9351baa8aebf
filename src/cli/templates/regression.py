# A multilayer perceptron that predicts a number: the price of a house.
#
#   tallynet train FILE --data houses.csv --target price                    a table of your own
#   tallynet train FILE --data houses.csv --target price --set scale=1000   other units of the price
#   python FILE                            the same in Keras, on California's houses
import keras
from keras import layers

hidden = 64  # units of a hidden layer
scale = 100000.0  # the size of the numbers to predict, roughly
batch_size = 32
epochs = 100

(x_train, y_train), (x_test, y_test) = keras.datasets.california_housing.load_data()
normalize = layers.Normalization()  # each column to mean 0 and variance 1
normalize.adapt(x_train)

model = keras.Sequential(
    [
        keras.Input(shape=x_train.shape[1:]),
        normalize,
        layers.Dense(hidden, activation="relu"),
        layers.Dense(hidden, activation="relu"),
        layers.Dense(1),
        layers.Rescaling(scale),  # weights start small, so large numbers would take long to learn
    ]
)
model.compile(optimizer="adam", loss="mean_squared_error", metrics=["mae"])
model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, validation_split=0.1)
