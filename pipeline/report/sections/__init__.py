"""The sections of the report, one module each: numbers in, paragraphs, tables and figures out."""
