"""The Python front door; `import tcray` re-exports it lazily."""
