//! Refusals of operations: one list of reasons, each with its class, its code and a message to act on.

use std::fmt;

/// The class of a refusal. A transport maps it to a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The request itself is wrong.
    BadRequest,
    /// The caller sees the entity but may not do this.
    Forbidden,
    /// The entity does not exist for the caller.
    NotFound,
    /// The request conflicts with the current state.
    Conflict,
}

impl Class {
    /// The class as written before the dot.
    pub fn name(self) -> &'static str {
        match self {
            Class::BadRequest => "bad_request",
            Class::Forbidden => "forbidden",
            Class::NotFound => "not_found",
            Class::Conflict => "conflict",
        }
    }
}

macro_rules! reasons {
    ($($class:ident { $($name:ident $code:literal $message:literal,)* })*) => {
        /// Every reason for which the domain refuses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // each has its sentence in `message`
        pub enum Reason { $($($name,)*)* }

        impl Reason {
            /// All of them, in the order of the list.
            pub const ALL: &'static [Reason] = &[$($(Reason::$name,)*)*];

            /// The class.
            pub fn class(self) -> Class {
                match self { $($(Reason::$name => Class::$class,)*)* }
            }

            /// The code as written after the dot.
            pub fn code(self) -> &'static str {
                match self { $($(Reason::$name => $code,)*)* }
            }

            /// A sentence that a person can act on.
            pub fn message(self) -> &'static str {
                match self { $($(Reason::$name => $message,)*)* }
            }
        }
    };
}

reasons! {
    BadRequest {
        NoFieldsToUpdate "no_fields_to_update" "Give at least one field to change.",
        TitleTooLong "title_too_long" "A title has at most 80 characters.",
        DescriptionTooLong "description_too_long" "A description has at most 400 characters.",
        InvalidText "invalid_text" "The text must be a string without control characters other than line breaks and tabs.",
        InvalidStatus "invalid_status" "status must be 0, 1 or 3.",
        StatusBlocked "status_blocked" "The status Blocked cannot be set; the server derives it from the node's dependencies.",
        NodeBlocked "node_blocked" "The node is blocked; its status cannot be set until the nodes it waits for are completed.",
        InvalidDueDatetime "invalid_due_datetime" "dueDate must be an RFC 3339 time or null.",
        InvalidTags "invalid_tags" "tags must be a list of strings.",
        TooManyTags "too_many_tags" "A node has at most 32 tags.",
        TagEmpty "tag_empty" "A tag must not be empty.",
        TagTooLong "tag_too_long" "A tag has at most 50 characters.",
        InvalidPriority "invalid_priority" "priority must be an integer from 0 to 9.",
        InvalidVolume "invalid_volume" "volume must be an integer from 0 to 9.",
        InvalidIndependent "invalid_independent" "independent must be true or false.",
        InvalidAssignee "invalid_assignee" "assignee must be a list of at most 32 names of 1 to 254 characters.",
        InvalidPosition "invalid_position" "x, y and z must be finite numbers.",
        InvalidPinned "invalid_pinned" "pinned must be true or false.",
        InvalidCollapsed "invalid_collapsed" "collapsed must be true or false.",
        InvalidDue "invalid_due" "due must be an RFC 3339 time in the future, or null.",
        InvalidEmail "invalid_email" "email must be an email address.",
        InvalidUsername "invalid_username" "A username has 3 to 32 characters from A-Z, a-z, 0-9, '_', '.' and '-'.",
        InvalidView "invalid_view" "cameraPosition must be a JSON object of at most 2,048 bytes or null, and showAllCards true or false.",
        NotClosing "not_closing" "The account has not been closed.",
        InvalidTokenName "invalid_token_name" "A token's name has at most 80 characters, none of them a control character.",
        InvalidExpires "invalid_expires" "expires must be an RFC 3339 time in the future, or null.",
        InvalidScope "invalid_scope" "scopeType must be USER or GRAPH, with a matching scopeId.",
        SelfLink "self_link_not_allowed" "A node cannot be linked to itself.",
        NodeInTrash "node_in_trash" "The node is in the trash; restore it first.",
        SourceInTrash "source_in_trash" "The source is in the trash; restore it first.",
        TargetInTrash "target_in_trash" "The target is in the trash; restore it first.",
        LinkInTrash "link_in_trash" "The link is in the trash; restore it first.",
        InactiveEnd "inactive_source_or_target" "The link's source or target is in the trash; restore it first.",
        AlreadyTrashedNode "already_trashed_node" "The node is already in the trash.",
        NotTrashedNode "not_trashed_node" "The node is not in the trash.",
        CantDeleteActiveNode "cant_delete_active_node" "Only a node in the trash can be deleted permanently; trash it first.",
        AlreadyTrashedLink "already_trashed_link" "The link is already in the trash.",
        NotTrashedLink "not_trashed_link" "The link is not in the trash.",
        CantDeleteActiveLink "cant_delete_active_link" "Only a link in the trash can be deleted permanently; trash it first.",
        AlreadyPublic "already_public" "The node is already public.",
        NotPublic "not_public" "The node is not public.",
        PublicExpired "public_expired" "The publication has expired.",
        AlreadyEmbedded "already_embedded" "The branch is already in your graph.",
        NotEmbedded "not_embedded" "The branch is not embedded in your graph.",
        HasAccess "has_access" "You already have access to this node without embedding it.",
        CannotShareWithSelf "cannot_share_with_self" "You cannot share a node with yourself.",
        AlreadyGranted "already_granted" "This user already has access to the node.",
        NotShared "not_shared" "The node is not shared with this user.",
        UnknownOperation "unknown_operation" "This operation cannot be one of several in a batch.",
        BatchTooLarge "batch_too_large" "This is too much for one batch; split it.",
        CannotRestorePurged "cannot_restore_purged" "An entity that this batch changed has been deleted permanently.",
    }
    Forbidden {
        NoPermission "no_permission" "You do not have permission to do this.",
        ReadOnly "read_only" "This token may only read.",
        ForbiddenType "forbidden_type" "With viewer access to the target, a link can only be secondary.",
        ForbiddenPrivate "forbidden_private" "Your access to the link's ends does not allow this value of `private`.",
        WouldShare "would_share" "This link would share the source's branch with users who have no access to it; that requires admin access to the source.",
        PlanLimit "plan_limit" "Your plan does not include this.",
        RegistrationClosed "registration_closed" "This installation takes no new accounts.",
        InvalidInvite "invalid_invite" "Making an account takes an invitation that has not been used or revoked, has not expired, and is not for another email.",
        InvalidKey "invalid_key" "This link has been used, has expired, or was replaced by a newer one; ask for another.",
        ApiNotAllowed "api_not_allowed" "API tokens require the plus or pro plan.",
    }
    NotFound {
        NodeNotFound "node_not_found" "There is no such node, or you have no access to it.",
        LinkNotFound "link_not_found" "There is no such link, or you have no access to it.",
        SourceNotFound "source_not_found" "There is no such source, or you have no access to it.",
        TargetNotFound "target_not_found" "There is no such target, or you have no access to it.",
        BatchNotFound "batch_not_found" "There is no such batch, or you have no access to it.",
        BranchNotFound "branch_not_found" "There is no such branch, or you have no access to it.",
        UserNotFound "user_not_found" "There is no such user.",
        TokenNotFound "token_not_found" "There is no such token.",
        IdentityNotFound "identity_not_found" "Your account is not known by an identity at this provider.",
        SessionNotFound "session_not_found" "There is no such session.",
        KeyNotFound "key_not_found" "There is no such link, or it has been used.",
        NotInTrash "not_in_trash" "The trash contains no such node or link that you may change; nothing was changed.",
    }
    Conflict {
        VersionConflict "version_conflict" "What you want to change has been changed in the meantime; load it again.",
        DuplicateLink "duplicate_link" "These nodes are already linked.",
        DuplicateReversedLink "duplicate_reversed_link" "These nodes are already linked in the other direction.",
        DependencyCycle "dependency_cycle" "This would create a cycle of nodes that wait for each other.",
        IdTaken "id_taken" "This id is already in use.",
        BatchIdConflict "batch_id_conflict" "This batchId was already used for another request.",
        AlreadyUndone "already_undone" "The batch is already undone.",
        NotUndone "not_undone" "The batch is not undone.",
        UsernameTaken "username_taken" "This username is already in use.",
        TooManyTokens "too_many_tokens" "You have as many API tokens as one user may have; revoke one first.",
        EmailTaken "email_taken" "This email is already in use.",
        IdentityTaken "identity_taken" "This identity already belongs to an account.",
        LastIdentity "last_identity" "Without it you could no longer sign in; set a password or add another identity first.",
        TooManyIdentities "too_many_identities" "An account has at most 16 identities.",
        LastAdmin "last_admin" "This is the last administrator of the installation; make somebody else one first.",
    }
}

/// A refused operation: nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Details for the message, limited to what the caller may see.
    pub detail: Option<String>,
    /// Of several operations that were to be one batch, the place of the refused one, counted from 0.
    pub index: Option<usize>,
}

impl Refusal {
    /// A refusal with details.
    pub fn with(reason: Reason, detail: impl Into<String>) -> Self {
        Refusal { reason, detail: Some(detail.into()), index: None }
    }

    /// The message for the caller.
    pub fn message(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{} {detail}", self.reason.message()),
            None => self.reason.message().to_owned(),
        }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Refusal { reason, detail: None, index: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}: {}", self.reason.class().name(), self.reason.code(), self.message())
    }
}
