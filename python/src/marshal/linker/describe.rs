//! The descriptors of single values: what a step has to know of the type that it converts.

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::atomic::AtomicBool;
use std::sync::{LazyLock, Mutex, PoisonError};

use gijit::plan::reject::{Reason, Reject};
use gijit::plan::{Conv, UserData};
use gijit::signature::TypeRef;
use gijit::signature::fundamental::Counting;
use gijit::signature::girepository::Info;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::super::callback::{CallbackDesc, Destroy, Kind};
use super::super::class::{ClassDesc, VFuncDesc};
use super::super::desc::{self, TypeDesc, keep};
use super::super::foreign::{Foreign, ForeignDesc};
use super::super::fundamental::FundamentalDesc;
use super::super::{api, shared};
use super::{Linker, Unlinked, namespaces};

/// The members of the enums that have been linked.
static MEMBERS: LazyLock<Mutex<HashMap<TypeRef, &'static [i64]>>> = LazyLock::new(Mutex::default);

impl Linker<'_, '_> {
    /// The descriptor of a conversion that is no container; 0 for those that need none.
    pub(in super::super) fn desc(
        &self,
        conv: &Conv,
        nullable: bool,
        full: bool,
    ) -> Result<usize, Unlinked> {
        match conv {
            Conv::Class { .. } => return Ok(keep(ClassDesc::default())),
            Conv::VFunc => {
                let place = self.bindings.vfunc.expect("`callable` has looked");
                return Ok(keep(VFuncDesc::new(place)));
            }
            _ => {}
        }
        let Some(ty) = conv.type_ref() else {
            return Ok(0);
        };
        let reject = || Reject {
            reason: Reason::Unresolved,
            place: ty.to_string(),
        };
        let binding = self.bindings.types.get(ty).ok_or_else(reject)?;
        if let Conv::Callback {
            scope,
            data,
            destroy,
            shared,
            ..
        } = conv
        {
            return Ok(keep(CallbackDesc {
                kind: Kind::of(self, ty, binding.info as Info)?,
                scope: *scope,
                data: *data,
                shared: *shared,
                destroy: match (destroy, data) {
                    (false, _) => Destroy::None,
                    (true, UserData::None) => Destroy::Leak(self.leak_warning()),
                    (true, _) => Destroy::Release,
                },
                nullable,
            }));
        }
        let class = namespaces::class(self.py, *ty).map_err(Unlinked::Raised)?;
        let class = class.cast_into::<PyType>().map_err(|_| reject())?;
        if let Conv::Foreign { .. } = conv {
            let foreign = match &*ty.namespace {
                "cairo" => Foreign::cairo(self.py, &ty.name),
                _ => None,
            };
            return Ok(keep(ForeignDesc {
                foreign: foreign.ok_or_else(|| Reject {
                    reason: Reason::ForeignStruct,
                    place: ty.to_string(),
                })?,
                nullable,
                full,
            }));
        }
        if let Conv::Fundamental { .. } = conv {
            let place = crate::layout::layout(self.py)
                .fundamental
                .ok_or_else(reject)?;
            // SAFETY: the binding's info is an object's, kept alive by the bindings.
            let counting = unsafe { Counting::of(self.repository, binding.info as Info) };
            return Ok(keep(FundamentalDesc {
                counting: counting.ok().ok_or_else(reject)?,
                place,
                py_type: class.into_ptr().cast(),
                nullable,
                full,
            }));
        }
        let members = match conv {
            Conv::Enum { .. } => self.members(*ty, binding.info as Info),
            _ => &[],
        };
        Ok(keep(TypeDesc {
            accepted: Default::default(),
            gtype: binding.gtype,
            size: binding.size,
            py_type: class.into_ptr().cast(),
            nullable,
            full,
            storage: conv.abi(),
            members,
            is_shown: AtomicBool::new(false),
        }))
    }

    /// The members of the enum `ty`, which every descriptor of it shares.
    fn members(&self, ty: TypeRef, info: Info) -> &'static [i64] {
        let mut known = MEMBERS.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(ty).or_insert_with(|| {
            // SAFETY: the binding's info is an enum's, kept alive by the bindings.
            let values = unsafe { self.repository.enum_values(info) };
            values.leak()
        })
    }

    /// Of foreign structs PyGObject allocates those only that stand in their wrapper.
    pub(super) fn check_allocated(&self, conv: &Conv, desc: usize) -> Result<(), Reject> {
        // SAFETY: `desc` has just been made by `Self::desc` for this conversion.
        let fits = |desc| unsafe { (*(desc as *const ForeignDesc)).foreign.embedded };
        match conv {
            Conv::Foreign { ty } if !fits(desc) => Err(Reject {
                reason: Reason::CallerAllocated,
                place: ty.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// What PyGObject says about a destroy notify without user data.
    fn leak_warning(&self) -> CString {
        let text = format!(
            "Callables passed to {} will leak references because the method does not support a \
             user_data argument. See: https://bugzilla.gnome.org/show_bug.cgi?id=685598",
            self.name
        );
        CString::new(text).unwrap_or_default()
    }

    /// Boxed and struct results are made by hand, so their class must be what that takes.
    pub(super) fn check_result_class(&self, conv: &Conv, desc: usize) -> Result<(), Unlinked> {
        let base = match conv {
            Conv::Inline { of } => return self.check_result_class(of, desc),
            Conv::Boxed { .. } | Conv::Closure { .. } => shared().boxed,
            Conv::Struct { .. } | Conv::Variant { .. } => shared().structure,
            _ => return Ok(()),
        };
        // SAFETY: `desc` has just been made by `Self::desc` for a typed conversion.
        let desc = unsafe { desc::type_desc(desc as *const std::ffi::c_void) };
        let fits = || -> PyResult<bool> {
            // SAFETY: the class that the descriptor holds a reference to.
            let class = unsafe { Bound::from_borrowed_ptr(self.py, desc.py_type.cast()) };
            // SAFETY: an object, GIL held.
            let gtype = unsafe { (api().type_from_object)(class.as_ptr()) };
            if let Some(error) = PyErr::take(self.py) {
                return Err(error);
            }
            // SAFETY: two types.
            let derived = unsafe { ffi::PyType_IsSubtype(desc.py_type, base) != 0 };
            Ok(derived && gtype == desc.gtype)
        };
        let probed = crate::layout::layout(self.py).boxed_readable;
        if probed && fits().unwrap_or(false) {
            return Ok(());
        }
        let place = conv.type_ref().map(TypeRef::to_string).unwrap_or_default();
        Err(Reject {
            reason: Reason::Unresolved,
            place,
        }
        .into())
    }
}
