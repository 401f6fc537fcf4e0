//! What the machine finds fault with.
#![cfg(test)]

use std::rc::Rc;

use super::*;
use crate::card::Held;

const HEAD: &str = ".version 8.5\n.target sm_80\n.address_size 64\n";

/// What a kernel of 64 threads leaves in 64 words, that it is given the address of.
fn run(body: &str) -> Result<Vec<u32>, String> {
    let text = format!(
        "{HEAD}.visible .entry tried(\n.param .u64 p0\n)\n.maxntid 64, 1, 1\n{{\n\
         .shared .align 4 .b8 room[256];\nld.param.u64 %rd1, [p0];\nmov.u32 %r1, %tid.x;\n\
         mul.wide.u32 %rd2, %r1, 4;\nadd.s64 %rd3, %rd1, %rd2;\nmov.u32 %r9, room;\n\
         shl.b32 %r8, %r1, 2;\nadd.s32 %r9, %r9, %r8;\n{body}\nret;\n}}\n"
    );
    let machine = Machine::of(&[&text], Adding::Cut, BYTES);
    let card: Rc<dyn Card> = machine;
    let words = Held::<u32>::zeros(&card, 64).unwrap();
    let started = card.start(0, Kernel("tried"), Blocks::new(1, 64), &[words.at(0)]);
    started.map_err(|error| error.to_string())?;
    Ok(words.values(0, 0, 64).unwrap())
}

#[test]
fn threads_write_what_they_work_out() {
    let found = run("mad.lo.s32 %r2, %r1, 3, 1;\nst.global.u32 [%rd3], %r2;").unwrap();
    assert!(found.iter().enumerate().all(|(at, word)| *word as usize == 3 * at + 1));
    let body = "setp.lt.u32 %p1, %r1, 40;\n@%p1 bra $A;\nmov.u32 %r2, 7;\nbra.uni $B;\n$A:\n\
                mov.u32 %r2, 9;\n$B:\nst.global.u32 [%rd3], %r2;";
    let found = run(body).unwrap();
    assert_eq!((found[39], found[40]), (9, 7));
    let body = "shfl.sync.bfly.b32 %r2|%p2, %r1, 1, 31, -1;\nst.global.u32 [%rd3], %r2;";
    assert_eq!(run(body).unwrap()[..4], [1, 0, 3, 2]);
    let body = "mov.u32 %r2, 1;\natom.global.add.u32 %r3, [%rd1], %r2;";
    assert_eq!(run(body).unwrap()[0], 64);
}

#[test]
fn threads_of_two_warps_meet_at_a_barrier_or_it_is_told() {
    let other = "xor.b32 %r3, %r8, 128;\nmov.u32 %r4, room;\nadd.s32 %r3, %r3, %r4;\n\
                 ld.shared.u32 %r5, [%r3];\nst.global.u32 [%rd3], %r5;";
    let found = run(&format!("st.shared.u32 [%r9], %r1;\nbar.sync 0;\n{other}")).unwrap();
    assert_eq!((found[0], found[63]), (32, 31));
    let told = run(&format!("st.shared.u32 [%r9], %r1;\n{other}")).unwrap_err();
    assert!(told.contains("two warps at once"), "{told}");
}

#[test]
fn what_is_nobody_s_is_not_touched() {
    let told = run("st.global.u32 [%rd3+4], %r1;").unwrap_err();
    assert!(told.contains("given to nobody") && told.contains("thread 63"), "{told}");
    let told = run("st.global.u32 [%rd3+2], %r1;").unwrap_err();
    assert!(told.contains("is no place for 4 bytes"), "{told}");
    let told = run("ld.shared.u32 %r2, [%r9+8];").unwrap_err();
    assert!(told.contains("of shared memory"), "{told}");
}

#[test]
fn lanes_that_are_waited_for_must_come() {
    let body = "setp.lt.u32 %p1, %r1, 5;\n@%p1 bra $A;\n\
                shfl.sync.bfly.b32 %r2|%p2, %r1, 1, 31, -1;\n$A:\n";
    let told = run(body).unwrap_err();
    assert!(told.contains("is not there"), "{told}");
    let body = "setp.lt.u32 %p1, %r1, 32;\n@%p1 bra $A;\nbar.sync 0;\nbra.uni $B;\n$A:\n\
                bar.sync 0;\n$B:\n";
    assert!(run(body).unwrap_err().contains("another barrier"));
    assert!(kernels(&format!("{HEAD}.entry x(\n)\n{{\nlg2.approx.f32 %f1, %f2;\n}}")).is_err());
}

/// What is told of rows that Hopper's kernel deals, its text altered before.
fn told_of_hopper(alter: impl Fn(&str) -> Option<String>) -> String {
    let lines = crate::device::HOPPER.lines();
    let text = lines.map(|line| alter(line).unwrap_or_else(|| line.to_owned()));
    let text = text.collect::<Vec<_>>().join("\n");
    assert_ne!(text, crate::device::HOPPER.trim_end(), "nothing is altered");
    let card: Rc<dyn Card> = Machine::of_hopper_with(&text, Adding::Cut);
    let told = crate::check::clusters_by_hopper(&card).unwrap_err().to_string();
    // Other kernels do it then.
    crate::check::clusters(&card).unwrap();
    assert!(card.hoppers().is_none(), "is trusted");
    told
}

#[test]
fn boxes_and_products_that_nobody_waits_for_are_found_out() {
    let instead = |of: &'static str, with: &'static str| {
        told_of_hopper(move |line| line.contains(of).then(|| line.replace(of, with)))
    };
    let told = instead("wgmma.wait_group.sync.aligned 1", "wgmma.wait_group.sync.aligned 9");
    assert!(told.contains("a box goes where products still read"), "{told}");
    let told = instead("wgmma.wait_group.sync.aligned 0", "wgmma.wait_group.sync.aligned 1");
    assert!(told.contains("before it is awaited"), "{told}");
    let told = instead("mbarrier.arrive.shared::cta", "fence.none; //");
    assert!(told.contains("what is waited for never comes"), "{told}");
    let told =
        instead("mbarrier.arrive.expect_tx.shared::cta.b64", "mbarrier.arrive.shared::cta.b64");
    assert!(told.contains("something is to arrive") || told.contains("never comes"), "{told}");
    let told = instead("bar.sync", "fence.none; //");
    assert!(told.contains("without one before") || told.contains("no barrier"), "{told}");
    // Chunks that are read as if they were not turned.
    let told = instead("4611686293305360384", "18446744078004518912");
    assert!(told.contains("is no matrix of turned chunks"), "{told}");
    // The first sixteen halves twice.
    let told = instead("4611686293305360386", "4611686293305360384");
    assert!(told.contains("are not those of the processor"), "{told}");
}
