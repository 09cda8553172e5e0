//! One member: the apps that act for them, read now, and who they are as last read. Lists of members are cut from the
//! [`inventory`](crate::inventory), not here.

use std::sync::Arc;

use stytch_b2b::{Member, MemberId};

use crate::desk::Desk;
use crate::directory::{MemberGrants, check_id};
use crate::error::{Error, Field};

impl Desk {
    /// One member's grants and, as far as known, who they are.
    ///
    /// # Errors
    /// [`Error::BadInput`] for an id that no URL can carry, before anything is sent; [`Error::NotAllowed`] without
    /// `get.connected-apps`; otherwise as every read.
    pub async fn member_grants(&self, member: &str) -> Result<(Arc<MemberGrants>, Option<Member>), Error> {
        check_id(member, Field::MemberId)?;
        let (session, directory) = self.seated()?;
        let id = MemberId::from(member);
        let grants = match directory.member_grants(&session, &id).await {
            Ok(grants) => grants,
            Err(error) => return Err(self.judge(&session, error).await),
        };
        let known = self.known_member(&id)?;
        Ok((grants, known))
    }

    /// A member as last read, oneself included.
    ///
    /// # Errors
    /// [`Error::SignedOut`].
    pub fn known_member(&self, id: &MemberId) -> Result<Option<Member>, Error> {
        let (session, directory) = self.seated()?;
        let own = session.state().member;
        if own.member_id == *id {
            return Ok(Some(own));
        }
        Ok(directory.known_member(id))
    }
}
