"""The filter language: a filter becomes an AST, the AST becomes SQL."""
