export const liveView = () => {};
