"""Scores of conformers as descriptors of a model of scikit-learn."""

from scikit_mol.conversions import SmilesToMolTransformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from molscore.sklearn import ConformerTransformer, ScoreTransformer

model = make_pipeline(SmilesToMolTransformer(), ConformerTransformer(), ScoreTransformer(), Ridge())
model.fit(["CCCCO", "CCCCN", "CC(C)CF"], [0.1, 0.2, 0.3])
print(model.predict(["CCCCCl"]))
