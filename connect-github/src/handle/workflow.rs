//! Actions: workflows, their runs, and what the runs leave behind.

use connect_core::{Call, DownloadCall, Items};

use super::RepoHandle;
use crate::actions;

impl RepoHandle {
    /// A workflow, by its file (`ci.yml`) or its id. Sends nothing.
    pub fn workflow(&self, file_or_id: impl ToString) -> WorkflowHandle {
        WorkflowHandle { repo: self.clone(), workflow: file_or_id.to_string() }
    }

    /// A run of a workflow, by its id. Sends nothing.
    pub fn run(&self, id: i64) -> RunHandle {
        RunHandle { repo: self.clone(), id }
    }

    /// [`GET ../actions/runs`](https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-repository): of all
    /// workflows, newest first.
    pub fn runs(&self) -> Items<actions::ListWorkflowRunsForRepo> {
        self.client().stream(actions::ListWorkflowRunsForRepo::new(self.owner(), self.name()))
    }

    /// [`GET ../actions/jobs/{id}/logs`](https://docs.github.com/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run):
    /// plain text, as a stream. GitHub sends it from another host, which gets no credential.
    pub fn job_logs(&self, job_id: i64) -> DownloadCall<actions::DownloadJobLogsForWorkflowRun> {
        let logs = actions::DownloadJobLogsForWorkflowRun::new(self.owner(), self.name(), job_id);
        self.client().download(logs)
    }

    /// [`GET ../actions/artifacts/{id}/zip`](https://docs.github.com/rest/actions/artifacts#download-an-artifact): as a stream.
    /// GitHub sends it from another host, which gets no credential.
    pub fn download_artifact(&self, artifact_id: i64) -> DownloadCall<actions::DownloadArtifact> {
        let artifact = actions::DownloadArtifact::new(self.owner(), self.name(), artifact_id, "zip");
        self.client().download(artifact)
    }
}

/// A workflow of a repository, by its file or its id.
///
/// From [`RepoHandle::workflow`].
///
/// ```no_run
/// # async fn example(github: connect_github::GitHub) -> Result<(), connect_github::Error> {
/// let deploy = github.repo("octo", "hello")?.workflow("deploy.yml");
/// deploy.dispatch("main").with(|run| run.inputs(serde_json::json!({"target": "staging"}))).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WorkflowHandle {
    repo: RepoHandle,
    workflow: String,
}

impl WorkflowHandle {
    /// [`POST ../actions/workflows/{id}/dispatches`](https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event):
    /// starts it on a branch or a tag, if it listens to `workflow_dispatch`.
    pub fn dispatch(&self, r#ref: impl Into<String>) -> Call<actions::CreateWorkflowDispatch> {
        let (owner, repo, workflow) = (self.repo.owner(), self.repo.name(), self.workflow.as_str());
        self.repo.client().send(actions::CreateWorkflowDispatch::new(owner, repo, workflow, r#ref))
    }

    /// [`GET ../actions/workflows/{id}/runs`](https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow),
    /// newest first.
    pub fn runs(&self) -> Items<actions::ListWorkflowRuns> {
        let (owner, repo, workflow) = (self.repo.owner(), self.repo.name(), self.workflow.as_str());
        self.repo.client().stream(actions::ListWorkflowRuns::new(owner, repo, workflow))
    }
}

/// A run of a workflow, by its id.
///
/// From [`RepoHandle::run`].
///
/// ```no_run
/// # async fn example(github: connect_github::GitHub) -> Result<(), connect_github::Error> {
/// let run = github.repo("octo", "hello")?.run(30433642);
/// if run.get().await?.conclusion.as_deref() == Some("failure") {
///     run.rerun_failed_jobs().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RunHandle {
    repo: RepoHandle,
    id: i64,
}

impl RunHandle {
    /// Its id, which is not its number.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// [`GET ../actions/runs/{id}`](https://docs.github.com/rest/actions/workflow-runs#get-a-workflow-run).
    pub fn get(&self) -> Call<actions::GetWorkflowRun> {
        self.repo.client().send(actions::GetWorkflowRun::new(self.repo.owner(), self.repo.name(), self.id))
    }

    /// [`GET ../actions/runs/{id}/jobs`](https://docs.github.com/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run): those
    /// of its last attempt.
    pub fn jobs(&self) -> Items<actions::ListJobsForWorkflowRun> {
        let (owner, repo) = (self.repo.owner(), self.repo.name());
        self.repo.client().stream(actions::ListJobsForWorkflowRun::new(owner, repo, self.id))
    }

    /// [`GET ../actions/runs/{id}/artifacts`](https://docs.github.com/rest/actions/artifacts#list-workflow-run-artifacts).
    pub fn artifacts(&self) -> Items<actions::ListWorkflowRunArtifacts> {
        let (owner, repo) = (self.repo.owner(), self.repo.name());
        self.repo.client().stream(actions::ListWorkflowRunArtifacts::new(owner, repo, self.id))
    }

    /// [`GET ../actions/runs/{id}/logs`](https://docs.github.com/rest/actions/workflow-runs#download-workflow-run-logs): a zip of
    /// all jobs' logs, as a stream. GitHub sends it from another host, which gets no credential.
    pub fn logs(&self) -> DownloadCall<actions::DownloadWorkflowRunLogs> {
        let (owner, repo) = (self.repo.owner(), self.repo.name());
        self.repo.client().download(actions::DownloadWorkflowRunLogs::new(owner, repo, self.id))
    }

    /// [`POST ../actions/runs/{id}/rerun`](https://docs.github.com/rest/actions/workflow-runs#re-run-a-workflow): all its jobs.
    pub fn rerun(&self) -> Call<actions::ReRunWorkflow> {
        self.repo.client().send(actions::ReRunWorkflow::new(self.repo.owner(), self.repo.name(), self.id))
    }

    /// [`POST ../actions/runs/{id}/rerun-failed-jobs`](https://docs.github.com/rest/actions/workflow-runs#re-run-failed-jobs-from-a-workflow-run).
    pub fn rerun_failed_jobs(&self) -> Call<actions::ReRunWorkflowFailedJobs> {
        let (owner, repo) = (self.repo.owner(), self.repo.name());
        self.repo.client().send(actions::ReRunWorkflowFailedJobs::new(owner, repo, self.id))
    }

    /// [`POST ../actions/runs/{id}/cancel`](https://docs.github.com/rest/actions/workflow-runs#cancel-a-workflow-run).
    pub fn cancel(&self) -> Call<actions::CancelWorkflowRun> {
        self.repo.client().send(actions::CancelWorkflowRun::new(self.repo.owner(), self.repo.name(), self.id))
    }
}
