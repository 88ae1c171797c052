"""Recording -> frames -> crops -> image embeddings; utterances -> text embeddings."""
