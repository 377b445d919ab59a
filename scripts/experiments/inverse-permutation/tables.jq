# The error of every arm as it is trained.
{curves: [inputs | select(.step) | {arm: (input_filename | split(".")[1]), step, mse}]}
