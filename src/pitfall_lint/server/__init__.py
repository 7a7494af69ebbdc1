"""The language server: findings while they are typed, why on hover, mended with one key."""
