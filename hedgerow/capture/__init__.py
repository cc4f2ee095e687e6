"""What SDKs speak: bytes in, durable answers out."""
