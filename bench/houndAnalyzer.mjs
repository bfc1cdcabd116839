export const analyze = () => "error"
