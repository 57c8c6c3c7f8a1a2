// Speakers by colour, told apart also by people who see few of them, on light and on dark.

const COLORS = ["#2a7f9e", "#c4622d", "#7a5bb0", "#3f8f4f", "#b8487a", "#8a7a1f"];

/** The colour of the n-th speaker; they come again after six. */
export const speakerColor = (n) => COLORS[n % COLORS.length];
