"""Speed of the parts of Coview that matter for large studies."""
