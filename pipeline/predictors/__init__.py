"""What predicts alignment: tables for models from a store, and the paper's questions as models."""
