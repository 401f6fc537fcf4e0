//! Passes as pipelines, and how they are bound and started.

use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, CommandEncoder, ComputePass,
    ComputePassDescriptor, ComputePipeline, ComputePipelineDescriptor, Device,
    PipelineCompilationOptions, ShaderModuleDescriptor, ShaderSource,
};

use super::Held;
use crate::shaders::{self, Shader};

/// One pipeline a shader.
pub(crate) struct Passes {
    pub assign: ComputePipeline,
    pub scores: ComputePipeline,
    pub select: ComputePipeline,
}

impl Passes {
    pub(super) fn new(device: &Device) -> Self {
        Self {
            assign: compiled(device, shaders::ASSIGN),
            scores: compiled(device, shaders::SCORES),
            select: compiled(device, shaders::SELECT),
        }
    }
}

/// Those of layouts and of principal components.
pub(crate) struct LatePasses {
    pub walk: ComputePipeline,
    pub settle: ComputePipeline,
    pub gram: ComputePipeline,
}

impl LatePasses {
    pub(super) fn new(device: &Device) -> Self {
        let all = [shaders::WALK, shaders::SETTLE, shaders::GRAM];
        let [walk, settle, gram] = all.map(|shader| compiled(device, shader));
        Self { walk, settle, gram }
    }
}

fn compiled(device: &Device, shader: Shader) -> ComputePipeline {
    let module = device.create_shader_module(ShaderModuleDescriptor {
        label: Some(shader.name),
        source: ShaderSource::Wgsl(shader.source.into()),
    });
    device.create_compute_pipeline(&ComputePipelineDescriptor {
        label: Some(shader.name),
        layout: None,
        module: &module,
        entry_point: Some(shader.entry_point),
        compilation_options: PipelineCompilationOptions::default(),
        cache: None,
    })
}

/// A pass with the buffers that it reads and writes.
pub(crate) struct Bound {
    pipeline: ComputePipeline,
    group: BindGroup,
}

impl Bound {
    /// Buffers in the order of their bindings.
    pub(crate) fn new(device: &Device, pipeline: &ComputePipeline, buffers: &[&Held]) -> Self {
        let entries: Vec<BindGroupEntry<'_>> = (0..)
            .zip(buffers)
            .map(|(binding, held)| BindGroupEntry { binding, resource: held.0.as_entire_binding() })
            .collect();
        let layout = pipeline.get_bind_group_layout(0);
        let description = BindGroupDescriptor { label: None, layout: &layout, entries: &entries };
        Self { pipeline: pipeline.clone(), group: device.create_bind_group(&description) }
    }

    pub(crate) fn start(&self, encoder: &mut CommandEncoder, groups: (u32, u32)) {
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        self.dispatch(&mut pass, groups);
    }

    /// One of several in a pass: each sees what those before it wrote.
    pub(crate) fn dispatch(&self, pass: &mut ComputePass<'_>, (across, down): (u32, u32)) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &[]);
        pass.dispatch_workgroups(across, down, 1);
    }
}
