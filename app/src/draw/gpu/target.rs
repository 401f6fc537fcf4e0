//! One canvas on the GPU: uploads what is new, fills the layers and colours them.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use web_sys::OffscreenCanvas;
use wgpu::{
    BufferUsages, Color, CommandEncoder, CompositeAlphaMode, CurrentSurfaceTexture, LoadOp,
    Operations, PresentMode, RenderPassColorAttachment, RenderPassDescriptor, StoreOp, Surface,
    SurfaceColorSpace, SurfaceConfiguration, TextureUsages,
};

use super::device::{Gpu, GpuError, Held};
use super::layer::{Content, Layer, Wanted};
use super::layout;
use super::resident::{Resident, group_of};
use crate::draw::palette::Palette;
use crate::draw::plan::{Plan, Planner, Shade};
use crate::draw::points::Points;
use crate::draw::{Frame, Picture, Size};
use crate::texts;

/// How far [`Target::draw`] got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// The canvas has the picture; `changed` unless it had it already.
    Whole { changed: bool },
    /// Some of the points are uploaded; call again.
    Part,
    /// The last picture is still being drawn.
    Busy,
}

pub struct Target {
    gpu: Rc<Gpu>,
    canvas: OffscreenCanvas,
    surface: Surface<'static>,
    configured: Option<(u32, u32)>,
    planner: Planner,
    selected: Layer,
    context: Layer,
    palette: Held,
    uniform: Held,
    resident: Option<Resident>,
    shown: Option<Shown>,
    busy: Arc<AtomicBool>,
}

/// All that a picture depends on.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    plan: Plan,
    palette: Palette,
    content: Content,
}

impl Target {
    /// Draws on a canvas of its own, which [`Self::canvas`] gives: the visible one must
    /// survive the loss of the device, and may then belong to the raster.
    pub fn new(gpu: Rc<Gpu>) -> Result<Self, GpuError> {
        let canvas = OffscreenCanvas::new(1, 1)
            .map_err(|error| GpuError::NoSurface(format!("{error:?}")))?;
        let uniform_bytes = size_of::<layout::Resolve>() as u64;
        Ok(Self {
            surface: gpu.surface(&canvas)?,
            canvas,
            configured: None,
            planner: Planner::default(),
            selected: Layer::new(&gpu)?,
            context: Layer::new(&gpu)?,
            palette: gpu.buffer("palette", 256 * 4, BufferUsages::STORAGE)?,
            uniform: gpu.buffer("resolve", uniform_bytes, BufferUsages::UNIFORM)?,
            gpu,
            resident: None,
            shown: None,
            busy: Arc::default(),
        })
    }

    pub fn canvas(&self) -> &OffscreenCanvas {
        &self.canvas
    }

    /// Uploads what is new until time is up, and draws when all is there. `on_idle` is
    /// called when the GPU has done so.
    pub fn draw(
        &mut self,
        picture: Picture<'_>,
        frame: &Frame<'_>,
        size: Size,
        out_of_time: &mut dyn FnMut() -> bool,
        on_idle: impl FnOnce() + Send + 'static,
    ) -> Result<Drawn, GpuError> {
        if self.busy.load(Ordering::Relaxed) {
            return Ok(Drawn::Busy);
        }
        if let Picture::Points(points) = picture
            && !self.upload(points, frame, out_of_time)?
        {
            return Ok(Drawn::Part);
        }
        let plan = self.planner.plan(picture, frame, size);
        let shown =
            Shown { plan, palette: frame.palette.clone(), content: self.content(picture, frame) };
        if self.shown.as_ref() == Some(&shown) {
            return Ok(Drawn::Whole { changed: false });
        }
        self.shown = None;
        self.render(picture, frame, &shown.plan)?;
        self.shown = Some(shown);
        self.busy.store(true, Ordering::Relaxed);
        let busy = self.busy.clone();
        self.gpu.queue.on_submitted_work_done(move || {
            busy.store(false, Ordering::Relaxed);
            on_idle();
        });
        Ok(Drawn::Whole { changed: true })
    }

    fn upload(
        &mut self,
        points: &Points,
        frame: &Frame<'_>,
        out_of_time: &mut dyn FnMut() -> bool,
    ) -> Result<bool, GpuError> {
        if !self.resident.as_ref().is_some_and(|resident| resident.is_of(points)) {
            // Let go of the old first: both may not fit.
            self.resident = None;
        }
        let resident = self.resident.get_or_insert_with(|| Resident::new(points));
        if !resident.upload(&self.gpu, points, out_of_time)? {
            return Ok(false);
        }
        if let Some(words) = frame.selected {
            resident.select(&self.gpu, words)?;
        }
        Ok(true)
    }

    fn content(&self, picture: Picture<'_>, frame: &Frame<'_>) -> Content {
        match picture {
            Picture::Density(density) => {
                Content::Density { id: density.id(), viewport: frame.viewport }
            }
            Picture::Points(points) => {
                let mut changes = self.resident.as_ref().map(Resident::changes).unwrap_or_default();
                if frame.selected.is_none() {
                    changes.mask = 0;
                }
                Content::Points { id: points.id(), changes }
            }
        }
    }

    fn render(
        &mut self,
        picture: Picture<'_>,
        frame: &Frame<'_>,
        plan: &Plan,
    ) -> Result<(), GpuError> {
        let gpu = self.gpu.clone();
        let packed = frame
            .palette
            .colors()
            .map(|color| u32::from_le_bytes([color.0, color.1, color.2, 255]));
        gpu.queue.write_buffer(&self.palette.buffer, 0, bytemuck::cast_slice(&packed));
        let uniform = layout::Resolve::new(plan);
        gpu.queue.write_buffer(&self.uniform.buffer, 0, bytemuck::bytes_of(&uniform));
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        match picture {
            Picture::Points(points) => self.draw_points(&mut encoder, points, frame, plan)?,
            Picture::Density(density) => {
                self.selected.draw_density(&gpu, &mut encoder, density, frame.viewport, plan)?;
            }
        }
        self.color(&mut encoder, plan.size)?;
        gpu.queue.submit([encoder.finish()]);
        Ok(())
    }

    fn draw_points(
        &mut self,
        encoder: &mut CommandEncoder,
        points: &Points,
        frame: &Frame<'_>,
        plan: &Plan,
    ) -> Result<(), GpuError> {
        let Some(resident) = &self.resident else { return Ok(()) };
        let palette_buffer = &self.palette;
        if let Some(context) = &plan.context {
            let wanted =
                Wanted { plan, layer: context, palette: None, palette_buffer, masked: false };
            self.context.draw_points(&self.gpu, encoder, points, resident, &wanted)?;
        }
        let wanted = Wanted {
            plan,
            layer: &plan.selected,
            palette: (plan.shade == Shade::Mean).then_some(frame.palette),
            palette_buffer,
            masked: frame.selected.is_some(),
        };
        self.selected.draw_points(&self.gpu, encoder, points, resident, &wanted)
    }

    /// The last pass, onto the canvas.
    fn color(&mut self, encoder: &mut CommandEncoder, size: Size) -> Result<(), GpuError> {
        self.configure(size);
        let lost = || GpuError::NoSurface(texts::drawing::NO_SURFACE.to_owned());
        let texture = match self.surface.get_current_texture() {
            CurrentSurfaceTexture::Success(texture)
            | CurrentSurfaceTexture::Suboptimal(texture) => texture,
            _ => return Err(lost()),
        };
        let target = texture.texture.create_view(&Default::default());
        let (selected, context) = (&self.selected, &self.context);
        let buffers = [
            &self.uniform,
            selected.cells(),
            context.cells(),
            selected.peak(),
            context.peak(),
            &self.palette,
            selected.ranks(),
        ];
        let group = group_of(&self.gpu, &self.gpu.pipelines.resolve, &buffers);
        let attachment = RenderPassColorAttachment {
            view: &target,
            depth_slice: None,
            resolve_target: None,
            ops: Operations { load: LoadOp::Clear(Color::BLACK), store: StoreOp::Store },
        };
        let mut pass = encoder.begin_render_pass(&RenderPassDescriptor {
            color_attachments: &[Some(attachment)],
            ..RenderPassDescriptor::default()
        });
        pass.set_pipeline(&self.gpu.pipelines.color);
        pass.set_bind_group(0, &group, &[]);
        pass.draw(0..3, 0..1);
        Ok(())
    }

    fn configure(&mut self, size: Size) {
        if self.configured == Some((size.width, size.height)) {
            return;
        }
        let configuration = SurfaceConfiguration {
            usage: TextureUsages::RENDER_ATTACHMENT,
            format: self.gpu.format,
            color_space: SurfaceColorSpace::Auto,
            width: size.width,
            height: size.height,
            present_mode: PresentMode::Fifo,
            desired_maximum_frame_latency: 2,
            alpha_mode: CompositeAlphaMode::Opaque,
            view_formats: Vec::new(),
        };
        self.surface.configure(&self.gpu.device, &configuration);
        self.configured = Some((size.width, size.height));
    }
}
