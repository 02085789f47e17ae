"""An OpenAPI document as operations: which request is which operation, and whether it is well formed."""
