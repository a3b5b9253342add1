-- CreateTable
CREATE TABLE "quota" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "project_id" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "used" BIGINT NOT NULL DEFAULT 0,
    "max" BIGINT,
    CONSTRAINT "quota_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "quota_default" (
    "key" TEXT NOT NULL PRIMARY KEY,
    "max" BIGINT NOT NULL
);

-- CreateTable
CREATE TABLE "quota_request" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "project_id" INTEGER NOT NULL,
    "user_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "wanted" BIGINT NOT NULL,
    "limit_then" BIGINT NOT NULL,
    "reason" TEXT NOT NULL DEFAULT '',
    "status" TEXT NOT NULL DEFAULT 'open',
    "answered_by" TEXT,
    "answer" TEXT NOT NULL DEFAULT '',
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "answered_at" DATETIME,
    CONSTRAINT "quota_request_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "quota_request_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- AlterTable: columns are added, no table is built anew, so that this stands beside other changes of the same tables.
ALTER TABLE "home" ADD COLUMN "memory_percent" INTEGER NOT NULL DEFAULT 100;
ALTER TABLE "host" ADD COLUMN "charged_memory_bytes" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "vm" ADD COLUMN "charged_cpus" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "vm" ADD COLUMN "charged_memory_bytes" BIGINT NOT NULL DEFAULT 0;

-- CreateIndex
CREATE UNIQUE INDEX "quota_project_id_key_key" ON "quota"("project_id", "key");

-- CreateIndex
CREATE INDEX "quota_request_project_id_idx" ON "quota_request"("project_id");

-- CreateIndex
CREATE INDEX "quota_request_user_id_idx" ON "quota_request"("user_id");
