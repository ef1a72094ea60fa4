"""CTranslate2, in processes of its own."""
