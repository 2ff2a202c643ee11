"""The networks that training fits and serving runs."""
