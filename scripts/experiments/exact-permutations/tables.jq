# What the formulas say, beside the published runs: one for each k, width 50000, standard scaling, two ones.
{formula: [inputs | {scaling, k, needed}], published: {"5": 43, "10": 69, "15": 103, "20": 117, "25": 157, "30": 175}}
