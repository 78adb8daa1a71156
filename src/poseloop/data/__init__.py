"""Sample stores and the data sets built from bodies, motion and renders."""
