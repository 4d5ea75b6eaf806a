"""Another MLflow server, copied: experiments, runs, points, files, logged models, the registry; again and again if need be."""
