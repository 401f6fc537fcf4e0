//! A model on a device with CUDA, by tract's runtime for it: held against the processor before
//! it is trusted, and left to the processor where it fails later.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

// Its runtime is found by its name, once it is part of the program.
use tract_cuda as _;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::format_err;
use tract_onnx::tract_core::runtime::{Runnable, runtime_for_name};

/// Who computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    #[default]
    Cpu,
    /// A device, and the processor where there is none that computes the same.
    Cuda,
    /// A device where a row by it takes less time than by all of the processor.
    Auto,
}

/// Who did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Used {
    Cpu,
    Cuda,
    /// The processor, and why not the device that was asked for.
    FellBack(String),
}

pub(crate) type Plan = Arc<dyn Runnable>;

/// What computes rows: a device as long as it does, and the processor.
#[derive(Debug)]
pub(crate) struct Plans {
    cpu: Plan,
    device: Option<Plan>,
    /// Why the device is not asked, or not any more.
    lost: OnceLock<String>,
}

/// Vectors of the trial are at least so much in one direction: a device may multiply in fewer
/// bits than the processor, and nothing else.
const LIKENESS_MIN: f64 = 0.9995;

impl Plans {
    /// `typed` is what `cpu` was made of, `row` a row that is made up.
    pub(crate) fn new(
        backend: Backend,
        cpu: Plan,
        typed: impl FnOnce() -> TractResult<TypedModel>,
        row: impl Fn() -> TractResult<TVec<TValue>>,
    ) -> Self {
        let plans = Self { cpu, device: None, lost: OnceLock::new() };
        if backend == Backend::Cpu {
            return plans;
        }
        let tried = guarded(|| on_device(typed()?)).and_then(|device| {
            plans.trial(&device, backend, &row)?;
            Ok(device)
        });
        match tried {
            Ok(device) => Self { device: Some(device), ..plans },
            Err(why) => Self { lost: OnceLock::from(why), ..plans },
        }
    }

    pub(crate) fn cpu(&self) -> &Plan {
        &self.cpu
    }

    pub(crate) fn used(&self) -> Used {
        match (&self.device, self.lost.get()) {
            (_, Some(why)) => Used::FellBack(why.clone()),
            (Some(_), None) => Used::Cuda,
            (None, None) => Used::Cpu,
        }
    }

    /// What comes out of the one output, as numbers in their order.
    pub(crate) fn run(
        &self,
        inputs: impl FnOnce() -> TractResult<TVec<TValue>>,
    ) -> Result<Vec<f32>, String> {
        let inputs = guarded(inputs)?;
        if let Some(device) = self.device.as_ref().filter(|_| self.lost.get().is_none()) {
            match guarded(|| numbers(device, inputs.clone())) {
                Ok(values) => return Ok(values),
                // The first reason is the one that is told.
                Err(why) => drop(self.lost.set(why)),
            }
        }
        guarded(|| numbers(&self.cpu, inputs))
    }

    /// Whether the device gives what the processor gives, and where it has to, sooner.
    fn trial(
        &self,
        device: &Plan,
        backend: Backend,
        row: &impl Fn() -> TractResult<TVec<TValue>>,
    ) -> Result<(), String> {
        let timed = |plan: &Plan| -> Result<(Vec<f32>, Duration), String> {
            // The first run of a plan makes ready what later ones use.
            guarded(|| numbers(plan, row()?))?;
            let began = Instant::now();
            let values = guarded(|| numbers(plan, row()?))?;
            Ok((values, began.elapsed()))
        };
        let (theirs, by_device) = timed(device)?;
        let (ours, by_core) = timed(&self.cpu)?;
        let likeness = likeness(&ours, &theirs);
        if likeness.is_none_or(|likeness| likeness < LIKENESS_MIN) {
            return Err("the device gives other vectors than the processor".to_owned());
        }
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
        if backend == Backend::Auto && by_device * cores > by_core {
            return Err("the processor computes a row sooner than the device".to_owned());
        }
        Ok(())
    }
}

fn on_device(typed: TypedModel) -> TractResult<Plan> {
    let runtime = runtime_for_name("cuda")?;
    let runtime = runtime.ok_or_else(|| format_err!("this program was built without CUDA"))?;
    runtime.check()?;
    Ok(Arc::from(runtime.prepare(typed.into_decluttered()?)?))
}

fn numbers(plan: &Plan, inputs: TVec<TValue>) -> TractResult<Vec<f32>> {
    let outputs = plan.run(inputs)?;
    let tensor = outputs[0].cast_to::<f32>()?.into_owned();
    let view = tensor.to_plain_array_view::<f32>()?;
    Ok(view.iter().copied().collect())
}

/// The cosine of the angle between two vectors; none where there is none.
fn likeness(a: &[f32], b: &[f32]) -> Option<f64> {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    (a.len() == b.len() && cosine.is_finite()).then_some(cosine)
}

/// Runs what a file from outside decides. tract answers most of what is wrong with an error, and
/// the rest with a panic, which must not end what else the process does.
pub(crate) fn guarded<T>(work: impl FnOnce() -> TractResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(format!("{error:#}").lines().next().unwrap_or_default().to_owned()),
        Err(_) => Err("it cannot be read to its end".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tract_onnx::tract_core::internal::*;
    use tract_onnx::tract_core::ops::math::mul;

    use super::*;

    /// Four numbers, times `factor`.
    fn plan(factor: f32) -> Plan {
        let mut model = TypedModel::default();
        let input = model.add_source("input", f32::fact([1, 4])).unwrap();
        let factor = model.add_const("factor", tensor2(&[[factor, 1.0, 1.0, 1.0]])).unwrap();
        let product = model.wire_node("product", mul(), &[input, factor]);
        model.select_output_outlets(&product.unwrap()).unwrap();
        Arc::new(model.into_runnable().unwrap())
    }

    fn row() -> TractResult<TVec<TValue>> {
        Ok(tvec!(tensor2(&[[1.0_f32, 2.0, 3.0, 4.0]]).into()))
    }

    /// A device that is lost whenever it is asked.
    #[derive(Debug)]
    struct Lost;

    impl Runnable for Lost {
        fn spawn(&self) -> TractResult<Box<dyn State>> {
            bail!("the device fell off the bus")
        }

        fn typed_plan(&self) -> Option<&Arc<TypedSimplePlan>> {
            None
        }

        fn typed_model(&self) -> Option<&Arc<TypedModel>> {
            None
        }
    }

    fn plans(device: Option<Plan>) -> Plans {
        Plans { cpu: plan(1.0), device, lost: OnceLock::new() }
    }

    #[test]
    fn a_device_that_computes_something_else_is_not_trusted() {
        let plans = plans(None);
        plans.trial(&plan(1.0), Backend::Cuda, &row).unwrap();
        let refused = plans.trial(&plan(-4.0), Backend::Cuda, &row).unwrap_err();
        assert!(refused.contains("other vectors"), "{refused}");
        let nothing = plans.trial(&plan(f32::NAN), Backend::Cuda, &row).unwrap_err();
        assert!(nothing.contains("other vectors"), "{nothing}");
        let lost: Plan = Arc::new(Lost);
        assert!(plans.trial(&lost, Backend::Cuda, &row).unwrap_err().contains("fell off"));
    }

    #[test]
    fn a_device_that_is_lost_leaves_the_rest_to_the_processor() {
        let plans = plans(Some(Arc::new(Lost)));
        assert_eq!(plans.used(), Used::Cuda);
        for _ in 0..2 {
            assert_eq!(plans.run(row), Ok(vec![1.0, 2.0, 3.0, 4.0]));
        }
        let Used::FellBack(why) = plans.used() else { panic!("nobody was told") };
        assert!(why.contains("fell off the bus"), "{why}");
    }

    #[test]
    fn a_device_that_computes_is_asked() {
        let plans = plans(Some(plan(5.0)));
        assert_eq!(plans.run(row), Ok(vec![5.0, 2.0, 3.0, 4.0]));
        assert_eq!(plans.used(), Used::Cuda);
    }
}
