//! Why pictures are drawn without the GPU, or not at all.

pub const NO_CANVAS: &str = "a canvas did not arrive";
pub const NO_WEBGPU: &str = "the browser has no WebGPU";
pub const FALLBACK_ADAPTER: &str = "the only adapter is a fallback without a GPU";
pub const NO_SURFACE: &str = "it has no picture to draw on";
pub const GPU_ASKED_AGAIN: &str = "the GPU was lost and is being asked for again";
pub const GPU_OUT_OF_MEMORY: &str = "the GPU is out of memory";

pub fn not_drawn(error: &str) -> String {
    format!("a picture cannot be drawn: {error}")
}

pub fn without_gpu(error: &str) -> String {
    format!("this picture is drawn without the GPU: {error}")
}

pub fn gpu_lost_twice(reason: &str) -> String {
    format!("the GPU was lost twice: {reason}")
}

pub fn command_refused(error: &str) -> String {
    format!("the GPU refused a command: {error}")
}

pub fn part_refused(error: &str) -> String {
    format!("the GPU refused a part of the picture: {error}")
}

pub fn no_context(kind: &str) -> String {
    format!("the canvas gives no {kind} context")
}

pub fn browser_refused(error: &str) -> String {
    format!("the browser refused a picture: {error}")
}

pub fn gpu_did_not_draw(error: &str) -> String {
    format!("the GPU did not draw: {error}")
}

pub fn no_gpu_answers(error: &str) -> String {
    format!("no GPU answers: {error}")
}

pub fn no_device(error: &str) -> String {
    format!("the GPU gives no device: {error}")
}

pub fn no_gpu_context(error: &str) -> String {
    format!("the canvas gives no GPU context: {error}")
}

pub fn over_budget(needed_bytes: u64, left_bytes: u64) -> String {
    format!("the picture needs {needed_bytes} bytes of GPU memory and {left_bytes} are left")
}
