"""Vectors of images: image towers for Triton, and the images of a data set through one."""
