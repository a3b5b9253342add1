-- CreateTable
CREATE TABLE "home" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "timezone" TEXT NOT NULL,
    "setup_at" DATETIME NOT NULL,
    "updated_at" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "setup_token" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "token_hash" TEXT NOT NULL,
    "expires_at" DATETIME NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- CreateTable
CREATE TABLE "project" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- CreateTable
CREATE TABLE "membership" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "project_id" INTEGER NOT NULL,
    "user_id" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "membership_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "membership_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "location" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- CreateTable
CREATE TABLE "host" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "location_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "info" TEXT,
    "last_seen_at" DATETIME,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "host_location_id_fkey" FOREIGN KEY ("location_id") REFERENCES "location" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "vm" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "vm_uid" TEXT NOT NULL,
    "project_id" INTEGER NOT NULL,
    "host_id" INTEGER NOT NULL,
    "image_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "cpus" INTEGER NOT NULL,
    "memory_bytes" BIGINT NOT NULL,
    "disk_bytes" BIGINT,
    "mac" TEXT NOT NULL,
    "login_user" TEXT,
    "start_at_boot" BOOLEAN NOT NULL,
    "spec" TEXT NOT NULL,
    "generation" INTEGER NOT NULL,
    "desired_state" TEXT NOT NULL,
    "observed_state" TEXT,
    "observed_since" DATETIME,
    "observed_generation" INTEGER,
    "observed_exit_reason" TEXT,
    "observed_panicked" BOOLEAN NOT NULL DEFAULT false,
    "observed_addresses" TEXT NOT NULL DEFAULT '[]',
    "observed_disk_used" BIGINT,
    "observed_at" DATETIME,
    "held_by_action_id" INTEGER,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    "deleted_at" DATETIME,
    CONSTRAINT "vm_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "vm_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "host" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "vm_image_id_fkey" FOREIGN KEY ("image_id") REFERENCES "image" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "vm_held_by_action_id_fkey" FOREIGN KEY ("held_by_action_id") REFERENCES "action" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "disk" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "project_id" INTEGER NOT NULL,
    "host_id" INTEGER NOT NULL,
    "vm_id" INTEGER NOT NULL,
    "role" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "used_bytes" BIGINT,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" DATETIME,
    CONSTRAINT "disk_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "disk_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "host" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "disk_vm_id_fkey" FOREIGN KEY ("vm_id") REFERENCES "vm" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "image" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "project_id" INTEGER,
    "uid" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "cloud_init" BOOLEAN NOT NULL,
    "login_user" TEXT,
    "min_memory_bytes" BIGINT NOT NULL,
    "min_disk_bytes" BIGINT NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    CONSTRAINT "image_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "image_copy" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "image_id" INTEGER NOT NULL,
    "host_id" INTEGER NOT NULL,
    "recipe_hash" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "progress" INTEGER NOT NULL,
    "step" TEXT NOT NULL,
    "error" TEXT,
    "stored_bytes" BIGINT NOT NULL,
    "observed_at" DATETIME NOT NULL,
    CONSTRAINT "image_copy_image_id_fkey" FOREIGN KEY ("image_id") REFERENCES "image" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "image_copy_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "host" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ssh_key" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "project_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "public_key" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "ssh_key_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "action" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "project_id" INTEGER NOT NULL,
    "host_id" INTEGER NOT NULL,
    "command" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "progress" INTEGER NOT NULL DEFAULT 0,
    "step" TEXT NOT NULL,
    "steps" TEXT NOT NULL DEFAULT '[]',
    "request" TEXT,
    "sent_at" DATETIME,
    "error_code" TEXT,
    "error_message" TEXT,
    "started_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" DATETIME,
    "idempotency_key" TEXT,
    "request_hash" TEXT,
    "actor_kind" TEXT NOT NULL,
    "actor_name" TEXT NOT NULL,
    "actor_user_id" TEXT,
    CONSTRAINT "action_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "action_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "host" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "action_resource" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "action_id" INTEGER NOT NULL,
    "resource_type" TEXT NOT NULL,
    "resource_id" INTEGER NOT NULL,
    CONSTRAINT "action_resource_action_id_fkey" FOREIGN KEY ("action_id") REFERENCES "action" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "activity" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "kind" TEXT NOT NULL,
    "summary" TEXT NOT NULL,
    "project_id" INTEGER,
    "actor_kind" TEXT NOT NULL,
    "actor_name" TEXT NOT NULL,
    "actor_user_id" TEXT,
    "from_address" TEXT,
    "vm_id" INTEGER,
    "action_id" INTEGER,
    CONSTRAINT "activity_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT "activity_action_id_fkey" FOREIGN KEY ("action_id") REFERENCES "action" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "api_token" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "project_id" INTEGER NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "expires_at" DATETIME,
    "last_used_at" DATETIME,
    "revoked_at" DATETIME,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "api_token_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "api_token_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "console_ticket" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "ticket_hash" TEXT NOT NULL,
    "vm_id" INTEGER NOT NULL,
    "user_id" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "expires_at" DATETIME NOT NULL,
    "used_at" DATETIME,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "console_ticket_vm_id_fkey" FOREIGN KEY ("vm_id") REFERENCES "vm" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "console_ticket_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "label" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "resource_type" TEXT NOT NULL,
    "resource_id" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "value" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "user" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "email_verified" BOOLEAN NOT NULL DEFAULT false,
    "image" TEXT,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    "role" TEXT NOT NULL DEFAULT 'member'
);

-- CreateTable
CREATE TABLE "session" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "expires_at" DATETIME NOT NULL,
    "token" TEXT NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    "ip_address" TEXT,
    "user_agent" TEXT,
    "user_id" TEXT NOT NULL,
    CONSTRAINT "session_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "account" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "account_id" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "access_token" TEXT,
    "refresh_token" TEXT,
    "id_token" TEXT,
    "access_token_expires_at" DATETIME,
    "refresh_token_expires_at" DATETIME,
    "scope" TEXT,
    "password" TEXT,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    CONSTRAINT "account_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "verification" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "identifier" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "expires_at" DATETIME NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "rate_limit" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "key" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "last_request" BIGINT NOT NULL
);

-- CreateIndex
CREATE UNIQUE INDEX "setup_token_token_hash_key" ON "setup_token"("token_hash");

-- CreateIndex
CREATE UNIQUE INDEX "project_name_key" ON "project"("name");

-- CreateIndex
CREATE INDEX "membership_user_id_idx" ON "membership"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "membership_project_id_user_id_key" ON "membership"("project_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "location_name_key" ON "location"("name");

-- CreateIndex
CREATE UNIQUE INDEX "host_name_key" ON "host"("name");

-- CreateIndex
CREATE INDEX "host_location_id_idx" ON "host"("location_id");

-- CreateIndex
CREATE UNIQUE INDEX "vm_vm_uid_key" ON "vm"("vm_uid");

-- CreateIndex
CREATE UNIQUE INDEX "vm_mac_key" ON "vm"("mac");

-- CreateIndex
CREATE INDEX "vm_host_id_idx" ON "vm"("host_id");

-- CreateIndex
CREATE INDEX "vm_image_id_idx" ON "vm"("image_id");

-- CreateIndex
CREATE INDEX "vm_held_by_action_id_idx" ON "vm"("held_by_action_id");

-- CreateIndex
CREATE UNIQUE INDEX "vm_project_id_name_key" ON "vm"("project_id", "name") WHERE "deleted_at" IS NULL;

-- CreateIndex
CREATE INDEX "disk_project_id_idx" ON "disk"("project_id");

-- CreateIndex
CREATE INDEX "disk_host_id_idx" ON "disk"("host_id");

-- CreateIndex
CREATE INDEX "disk_vm_id_idx" ON "disk"("vm_id");

-- CreateIndex
CREATE UNIQUE INDEX "image_uid_key" ON "image"("uid");

-- CreateIndex
CREATE INDEX "image_project_id_idx" ON "image"("project_id");

-- CreateIndex
CREATE INDEX "image_copy_host_id_idx" ON "image_copy"("host_id");

-- CreateIndex
CREATE UNIQUE INDEX "image_copy_image_id_host_id_key" ON "image_copy"("image_id", "host_id");

-- CreateIndex
CREATE UNIQUE INDEX "ssh_key_project_id_name_key" ON "ssh_key"("project_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "ssh_key_project_id_fingerprint_key" ON "ssh_key"("project_id", "fingerprint");

-- CreateIndex
CREATE INDEX "action_status_idx" ON "action"("status");

-- CreateIndex
CREATE INDEX "action_project_id_idx" ON "action"("project_id");

-- CreateIndex
CREATE INDEX "action_host_id_idx" ON "action"("host_id");

-- CreateIndex
CREATE UNIQUE INDEX "action_actor_user_id_idempotency_key_key" ON "action"("actor_user_id", "idempotency_key");

-- CreateIndex
CREATE INDEX "action_resource_resource_type_resource_id_idx" ON "action_resource"("resource_type", "resource_id");

-- CreateIndex
CREATE UNIQUE INDEX "action_resource_action_id_resource_type_resource_id_key" ON "action_resource"("action_id", "resource_type", "resource_id");

-- CreateIndex
CREATE INDEX "activity_vm_id_idx" ON "activity"("vm_id");

-- CreateIndex
CREATE INDEX "activity_project_id_idx" ON "activity"("project_id");

-- CreateIndex
CREATE INDEX "activity_action_id_idx" ON "activity"("action_id");

-- CreateIndex
CREATE UNIQUE INDEX "api_token_token_hash_key" ON "api_token"("token_hash");

-- CreateIndex
CREATE INDEX "api_token_project_id_idx" ON "api_token"("project_id");

-- CreateIndex
CREATE INDEX "api_token_user_id_idx" ON "api_token"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "console_ticket_ticket_hash_key" ON "console_ticket"("ticket_hash");

-- CreateIndex
CREATE INDEX "console_ticket_expires_at_idx" ON "console_ticket"("expires_at");

-- CreateIndex
CREATE INDEX "console_ticket_vm_id_idx" ON "console_ticket"("vm_id");

-- CreateIndex
CREATE INDEX "console_ticket_user_id_idx" ON "console_ticket"("user_id");

-- CreateIndex
CREATE INDEX "label_resource_type_key_value_idx" ON "label"("resource_type", "key", "value");

-- CreateIndex
CREATE UNIQUE INDEX "label_resource_type_resource_id_key_key" ON "label"("resource_type", "resource_id", "key");

-- CreateIndex
CREATE UNIQUE INDEX "user_email_key" ON "user"("email");

-- CreateIndex
CREATE UNIQUE INDEX "session_token_key" ON "session"("token");

-- CreateIndex
CREATE INDEX "session_user_id_idx" ON "session"("user_id");

-- CreateIndex
CREATE INDEX "account_user_id_idx" ON "account"("user_id");

-- CreateIndex
CREATE INDEX "verification_identifier_idx" ON "verification"("identifier");

-- CreateIndex
CREATE UNIQUE INDEX "rate_limit_key_key" ON "rate_limit"("key");

