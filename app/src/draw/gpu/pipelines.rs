//! Pipelines and the shapes of their bind groups: made once for a device.

use wgpu::{
    BindGroupLayout, BindGroupLayoutDescriptor, BindGroupLayoutEntry, BindingType,
    BufferBindingType, ColorTargetState, ColorWrites, ComputePipeline, ComputePipelineDescriptor,
    Device, FragmentState, MultisampleState, PipelineLayoutDescriptor, PrimitiveState,
    RenderPipeline, RenderPipelineDescriptor, ShaderModule, ShaderModuleDescriptor, ShaderSource,
    ShaderStages, TextureFormat, VertexState,
};

use super::shaders::{ACCUMULATE, DENSITY, EQUALIZE, PEAK, RESOLVE, Shader};

const UNIFORM: BufferBindingType = BufferBindingType::Uniform;
const READ: BufferBindingType = BufferBindingType::Storage { read_only: true };
const WRITE: BufferBindingType = BufferBindingType::Storage { read_only: false };

pub struct Pipelines {
    /// Layer, cells, palette, weights.
    pub layer: BindGroupLayout,
    /// Chunk, high, low, colours, stamps.
    pub chunk: BindGroupLayout,
    pub mask: BindGroupLayout,
    /// Layer, cells, counts, bins.
    pub density: BindGroupLayout,
    /// Layer, cells, peak.
    pub peak: BindGroupLayout,
    /// Layer, cells, ranks.
    pub ranks: BindGroupLayout,
    /// Resolve, cells and peaks of both layers, palette, ranks.
    pub resolve: BindGroupLayout,
    pub add_pixels: ComputePipeline,
    pub add_discs: ComputePipeline,
    pub fill_density: ComputePipeline,
    pub find_peak: ComputePipeline,
    pub count_ranks: ComputePipeline,
    pub sum_ranks: ComputePipeline,
    pub color: RenderPipeline,
}

impl Pipelines {
    pub fn new(device: &Device, format: TextureFormat) -> Self {
        let group = |label, stages, bindings: &[BufferBindingType]| {
            group_layout(device, label, stages, bindings)
        };
        let compute = ShaderStages::COMPUTE;
        let layer = group("layer", compute, &[UNIFORM, WRITE, READ, READ]);
        let chunk = group("chunk", compute, &[UNIFORM, READ, READ, READ, READ]);
        let mask = group("mask", compute, &[READ]);
        let density = group("density", compute, &[UNIFORM, WRITE, READ, READ]);
        let peak = group("peak", compute, &[UNIFORM, READ, WRITE]);
        let ranks = group("ranks", compute, &[UNIFORM, READ, WRITE]);
        let equalize = module(device, EQUALIZE);
        let resolve = group(
            "resolve",
            ShaderStages::FRAGMENT,
            &[UNIFORM, READ, READ, READ, READ, READ, READ],
        );
        let accumulate = module(device, ACCUMULATE);
        let adding = [&layer, &chunk, &mask];
        Self {
            add_pixels: compute_pipeline(device, &accumulate, "pixels", &adding),
            add_discs: compute_pipeline(device, &accumulate, "discs", &adding),
            fill_density: compute_pipeline(device, &module(device, DENSITY), "fill", &[&density]),
            find_peak: compute_pipeline(device, &module(device, PEAK), "find", &[&peak]),
            count_ranks: compute_pipeline(device, &equalize, "count", &[&ranks]),
            sum_ranks: compute_pipeline(device, &equalize, "sum", &[&ranks]),
            color: render_pipeline(device, &module(device, RESOLVE), &resolve, format),
            layer,
            chunk,
            mask,
            density,
            peak,
            ranks,
            resolve,
        }
    }
}

fn module(device: &Device, shader: Shader) -> ShaderModule {
    device.create_shader_module(ShaderModuleDescriptor {
        label: Some(shader.name),
        source: ShaderSource::Wgsl(shader.source.into()),
    })
}

fn group_layout(
    device: &Device,
    label: &str,
    visibility: ShaderStages,
    bindings: &[BufferBindingType],
) -> BindGroupLayout {
    let entry = |(binding, ty): (u32, &BufferBindingType)| BindGroupLayoutEntry {
        binding,
        visibility,
        ty: BindingType::Buffer { ty: *ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let entries: Vec<_> = (0..).zip(bindings).map(entry).collect();
    device.create_bind_group_layout(&BindGroupLayoutDescriptor {
        label: Some(label),
        entries: &entries,
    })
}

fn compute_pipeline(
    device: &Device,
    module: &ShaderModule,
    entry_point: &str,
    groups: &[&BindGroupLayout],
) -> ComputePipeline {
    let groups: Vec<_> = groups.iter().map(|group| Some(*group)).collect();
    let layout = device.create_pipeline_layout(&PipelineLayoutDescriptor {
        label: Some(entry_point),
        bind_group_layouts: &groups,
        immediate_size: 0,
    });
    device.create_compute_pipeline(&ComputePipelineDescriptor {
        label: Some(entry_point),
        layout: Some(&layout),
        module,
        entry_point: Some(entry_point),
        compilation_options: Default::default(),
        cache: None,
    })
}

fn render_pipeline(
    device: &Device,
    module: &ShaderModule,
    group: &BindGroupLayout,
    format: TextureFormat,
) -> RenderPipeline {
    let layout = device.create_pipeline_layout(&PipelineLayoutDescriptor {
        label: Some("resolve"),
        bind_group_layouts: &[Some(group)],
        immediate_size: 0,
    });
    device.create_render_pipeline(&RenderPipelineDescriptor {
        label: Some("resolve"),
        layout: Some(&layout),
        vertex: VertexState {
            module,
            entry_point: Some("cover"),
            compilation_options: Default::default(),
            buffers: &[],
        },
        primitive: PrimitiveState::default(),
        depth_stencil: None,
        multisample: MultisampleState::default(),
        fragment: Some(FragmentState {
            module,
            entry_point: Some("resolve"),
            compilation_options: Default::default(),
            targets: &[Some(ColorTargetState {
                format,
                blend: None,
                write_mask: ColorWrites::ALL,
            })],
        }),
        multiview_mask: None,
        cache: None,
    })
}
